typedef int wk_stub_pg; /* replaced soon */
