typedef int wk_stub_app;
