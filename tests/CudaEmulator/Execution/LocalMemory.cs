using System.Runtime.InteropServices;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>
/// Thread-local memory of a warp: word w of lane l lies at 4 · (32 · w + l), so that lanes that access the same variable touch adjacent words,
/// as on a device. Beside each word stands a byte whose low four bits tell which of its bytes were written.
/// </summary>
internal sealed unsafe class LocalMemory
{
    private byte* _bytes;
    private byte* _written;
    private int _words;

    /// <summary>Bytes a thread has.</summary>
    public int Bytes => _words * 4;

    /// <summary>Gives each thread at least <paramref name="bytes"/>.</summary>
    public void Reserve(int bytes)
    {
        int words = (bytes + 3) / 4;
        if (words <= _words)
        {
            return;
        }

        Free();
        _bytes = (byte*)NativeMemory.AlignedAlloc((nuint)words * 128, 64);
        _written = (byte*)NativeMemory.AllocZeroed((nuint)words * 32);
        _words = words;
    }

    /// <summary>Host address of a byte of a lane; bytes of one aligned word are adjacent.</summary>
    public byte* At(ulong offset, int lane) => _bytes + ((offset >> 2) * 128) + (lane * 4) + (offset & 3);

    /// <summary>Whether all bytes of a lane's range were written.</summary>
    public bool IsWritten(ulong offset, int bytes, int lane)
    {
        for (ulong i = offset; i < offset + (uint)bytes; i++)
        {
            if ((_written[((i >> 2) * 32) + (uint)lane] >> (int)(i & 3) & 1) == 0)
            {
                return false;
            }
        }

        return true;
    }

    public void SetWritten(ulong offset, int bytes, int lane)
    {
        if (bytes >= 4 && (offset & 3) == 0)
        {
            for (int i = 0; i < bytes; i += 4)
            {
                _written[(((offset + (uint)i) >> 2) * 32) + (uint)lane] = 15;
            }

            return;
        }

        for (ulong i = offset; i < offset + (uint)bytes; i++)
        {
            _written[((i >> 2) * 32) + (uint)lane] |= (byte)(1 << (int)(i & 3));
        }
    }

    /// <summary>A new frame begins for some lanes: what lies there is of no one.</summary>
    public void Forget(int offset, int bytes, uint lanes)
    {
        for (int word = offset / 4; word < (offset + bytes + 3) / 4; word++)
        {
            if (lanes == uint.MaxValue)
            {
                new Span<byte>(_written + (word * 32), 32).Clear();
                continue;
            }

            for (uint rest = lanes; rest != 0; rest &= rest - 1)
            {
                _written[(word * 32) + Warp.FirstLane(rest)] = 0;
            }
        }
    }

    public void Free()
    {
        NativeMemory.AlignedFree(_bytes);
        NativeMemory.Free(_written);
        _bytes = null;
        _written = null;
        _words = 0;
    }
}
