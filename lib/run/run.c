typedef int bw_stub_run; /* replaced soon */
