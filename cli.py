from datasets_me.commands import main

main()
