typedef int wk_stub_telegram; /* replaced soon */
