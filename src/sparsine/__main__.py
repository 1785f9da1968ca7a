from sparsine.cli.main import main

raise SystemExit(main())
