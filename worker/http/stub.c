typedef int wk_stub_http; /* replaced soon */
