//! One description per on-chain VM: compiler target, instruction allow-list, memory map, system calls.
