/* Plugins with one fault each, told apart by FAULT_… at compile time. */
#include <bulwark/plugin.h>

static void process(struct bw_job *job, void *instance)
{
    (void)instance;
    bw_job_complete(job, "null", 4);
}

#ifdef FAULT_INIT
static int init(const char *config, const struct bw_plugin_host *host, void **instance,
                struct bw_error *err)
{
    (void)instance;
    return bw_error_set(err, BW_EINVAL, "config: %s is not for queue %s", config,
                        host->queue);
}
#endif

#ifdef FAULT_STOP /* keeps what it was given, as a plugin with a stuck thread does */
static bool stop(void *instance, int64_t timeout_ms)
{
    (void)instance;
    return timeout_ms < 0;
}
#endif

#ifdef FAULT_NO_ENTRY
BW_API const struct bw_plugin *bulwark_plugin_entri(void);
#define bulwark_plugin_entry bulwark_plugin_entri
#endif

#ifdef FAULT_SYMBOL
BW_API void bw_from_the_future(struct bw_job *job);
#endif

const struct bw_plugin *bulwark_plugin_entry(void)
{
    static struct bw_plugin plugin = {
        .abi = BW_PLUGIN_ABI, .size = sizeof plugin, .name = "bad", .process = process
    };

#ifdef FAULT_NOTHING
    return NULL;
#endif
#ifdef FAULT_ABI
    plugin.abi = 99;
#endif
#ifdef FAULT_SIZE
    plugin.size = 16;
#endif
#ifdef FAULT_NAME
    plugin.name = "";
#endif
#ifdef FAULT_PROCESS
    plugin.process = NULL;
#endif
#ifdef FAULT_INIT
    plugin.init = init;
#endif
#ifdef FAULT_STOP
    plugin.stop = stop;
#endif
#ifdef FAULT_SYMBOL
    bw_from_the_future(NULL);
#endif
    return &plugin;
}
