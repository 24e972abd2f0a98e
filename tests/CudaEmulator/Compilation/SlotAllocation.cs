using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>Where a value lies: which bank, and the offset in it.</summary>
internal enum Bank
{
    /// <summary>32 lanes of 4 bytes; also holds 8- and 16-bit values, zero-extended.</summary>
    Word,

    /// <summary>32 lanes of 8 bytes.</summary>
    Double,

    /// <summary>One bit per lane.</summary>
    Predicate,
}

/// <summary>
/// Gives every register a slot; registers whose values are never needed at the same time share one. Lanes that separated may hold different
/// registers in the same slot: each lane writes only its own column.
/// </summary>
internal sealed class SlotAllocation
{
    private readonly Dictionary<PtxRegister, int> _slots = [];

    /// <summary>Number of slots used of each bank.</summary>
    public int[] Counts { get; } = new int[3];

    /// <summary>Most 32-bit registers needed at once: what a compiler would have to give a thread, roughly.</summary>
    public int Pressure { get; private set; }

    public static Bank BankOf(PtxType type) => type.IsPredicate ? Bank.Predicate : type.Bytes <= 4 ? Bank.Word : Bank.Double;

    public static SlotAllocation Of(Liveness liveness)
    {
        SlotAllocation allocation = new();
        List<(PtxRegister Register, int First, int Last)> ranges =
        [
            .. liveness.Ranges.OrderBy(r => r.First).ThenBy(r => r.Register.Name, StringComparer.Ordinal),
        ];
        PriorityQueue<(PtxRegister Register, int Slot), int> open = new();
        SortedSet<int>[] free = [[], [], []];
        int words = 0;
        foreach ((PtxRegister register, int first, int last) in ranges)
        {
            while (open.TryPeek(out (PtxRegister Register, int Slot) oldest, out int end) && end < first)
            {
                open.Dequeue();
                free[(int)BankOf(oldest.Register.Type)].Add(oldest.Slot);
                words -= Words(oldest.Register.Type);
            }

            int bank = (int)BankOf(register.Type);
            int slot = free[bank].Count > 0 ? free[bank].Min : allocation.Counts[bank]++;
            free[bank].Remove(slot);
            allocation._slots.Add(register, slot);
            open.Enqueue((register, slot), last);
            words += Words(register.Type);
            allocation.Pressure = Math.Max(allocation.Pressure, words);
        }

        return allocation;
    }

    public int SlotOf(PtxRegister register) => _slots[register];

    private static int Words(PtxType type) => type.IsPredicate ? 0 : Math.Max(1, type.Bytes / 4);
}
