typedef int bw_stub_codec; /* replaced soon */
