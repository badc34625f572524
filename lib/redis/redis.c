typedef int bw_stub_redis; /* replaced soon */
