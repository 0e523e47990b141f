from datasets_me.cli import main

main()
