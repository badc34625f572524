/** Names of ctest's tests that answer for a statement where nothing can be compared with BullMQ. */
export const beside = {
    'BMQ-091': ['test_queue_options'], // jitter with fixed random numbers
    'BMQ-169': ['test_worker_drain'], // which has the moment in its hand; fault_stops meets it by chance
    'BMQ-170': ['test_scripts_handback', 'test_worker_drain'], // no call of BullMQ's does it
    'BMQ-171': ['fault_scripts_refused', 'test_worker_refused'], // BullMQ does lose jobs then
    'BMQ-172': ['conformance_cron', 'test_worker_schedulers'],
    'BMQ-173': ['conformance_cron'],
    'BMQ-175': ['test_worker_markers', 'test_scripts_fetch'],
    'BMQ-176': ['test_worker_events'], // events of a handler leave no keys
};
