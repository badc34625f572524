typedef int wk_stub_handlers; /* replaced soon */
