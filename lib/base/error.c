typedef int bw_stub_error; /* replaced soon */
