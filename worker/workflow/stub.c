typedef int wk_stub_workflow; /* replaced soon */
