typedef int bw_stub_queue; /* replaced soon */
