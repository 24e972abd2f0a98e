// Handlers allocate scratch on the stack for every instruction; clearing it would cost more than the instruction.
[module: System.Runtime.CompilerServices.SkipLocalsInit]
