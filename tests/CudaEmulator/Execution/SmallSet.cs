using System.Runtime.CompilerServices;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>A set of up to 32 numbers that is emptied by counting up.</summary>
internal unsafe struct SmallSet
{
    private const int Places = 64;

    private fixed ulong _keys[Places];
    private fixed uint _ages[Places];
    private uint _age;

    public void Clear() => _age++;

    /// <summary>Adds a number: 1 if it is new, 0 if it is there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Add(ulong key)
    {
        uint at = (uint)((key * 0x9E3779B97F4A7C15) >> 58);
        while (_ages[at] == _age)
        {
            if (_keys[at] == key)
            {
                return 0;
            }

            at = (at + 1) & (Places - 1);
        }

        _ages[at] = _age;
        _keys[at] = key;
        return 1;
    }
}
