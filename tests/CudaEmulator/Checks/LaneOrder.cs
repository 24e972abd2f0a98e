namespace CoGrpo.CudaEmulator.Checks;

/// <summary>
/// What lanes of a warp know of each other after some, not all, have met: for each pair the clock up to which one is ordered after the other.
/// </summary>
internal sealed class LaneOrder
{
    private readonly uint[] _known = new uint[32 * 32];

    public LaneOrder(uint all) => Array.Fill(_known, all);

    public uint Known(int lane, int other) => _known[(lane * 32) + other];

    /// <summary>The largest clock up to which a lane is ordered after any other.</summary>
    public uint Most(int lane)
    {
        uint most = 0;
        for (int other = 0; other < 32; other++)
        {
            most = other == lane ? most : Math.Max(most, Known(lane, other));
        }

        return most;
    }

    public void Meet(uint lanes, uint clock)
    {
        for (int other = 0; other < 32; other++)
        {
            uint known = 0;
            for (int lane = 0; lane < 32; lane++)
            {
                known = (lanes >> lane & 1) != 0 ? Math.Max(known, Known(lane, other)) : known;
            }

            for (int lane = 0; lane < 32; lane++)
            {
                if ((lanes >> lane & 1) != 0)
                {
                    _known[(lane * 32) + other] = (lanes >> other & 1) != 0 ? clock : known;
                }
            }
        }
    }

    public void Raise(uint clock)
    {
        for (int i = 0; i < _known.Length; i++)
        {
            _known[i] = Math.Max(_known[i], clock);
        }
    }
}
