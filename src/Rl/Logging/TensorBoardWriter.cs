using System.Buffers.Binary;
using System.Globalization;

namespace CoGrpo.Rl.Logging;

/// <summary>
/// Writes a TensorBoard event file: scalars and pictures by tag and step. Each run of the program adds its own file to the directory;
/// a resumed run says from which step it goes on, and TensorBoard drops what earlier files hold from that step on.
/// </summary>
public sealed class TensorBoardWriter : IDisposable
{
    private const int SessionStart = 1;
    private readonly FileStream _stream;
    private readonly TimeProvider _clock;

    /// <summary>Opens a new event file in <paramref name="directory"/>, which is created when missing.</summary>
    /// <param name="directory">The run's log directory.</param>
    /// <param name="resumedStep">The first step that this writer will log, when it continues a run; null for a new run.</param>
    /// <param name="clock">Source of the wall times; the system's when null.</param>
    /// <exception cref="IOException">The file cannot be created.</exception>
    public TensorBoardWriter(string directory, long? resumedStep = null, TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        Directory.CreateDirectory(directory);
        _stream = Create(directory);

        // Event.file_version = 3, Event.session_log = 7.
        Write(0, new ProtoBuffer().Text(3, "brain.Event:2"));
        if (resumedStep is long step)
        {
            Write(step, new ProtoBuffer().Message(7, new ProtoBuffer().Varint(1, SessionStart)));
        }
    }

    /// <summary>Path of the event file.</summary>
    public string Path => _stream.Name;

    /// <summary>Logs a number.</summary>
    /// <exception cref="IOException">The disk is full or another error of the file system.</exception>
    public void Scalar(string tag, long step, double value) =>

        // Summary.Value: tag = 1, simple_value = 2.
        Summary(step, new ProtoBuffer().Text(1, tag).Float(2, (float)value));

    /// <summary>Logs an RGB picture that is already a PNG file.</summary>
    /// <exception cref="IOException">The disk is full or another error of the file system.</exception>
    public void Image(string tag, long step, int width, int height, ReadOnlySpan<byte> png) =>

        // Summary.Value: tag = 1, image = 4. Summary.Image: height = 1, width = 2, colorspace = 3, encoded_image_string = 4.
        Summary(step, new ProtoBuffer().Text(1, tag)
            .Message(4, new ProtoBuffer().Varint(1, height).Varint(2, width).Varint(3, 3).Bytes(4, png)));

    /// <summary>Makes all that was logged visible to readers of the file.</summary>
    /// <exception cref="IOException">The disk is full or another error of the file system.</exception>
    public void Flush() => _stream.Flush();

    /// <summary>Flushes and closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    private FileStream Create(string directory)
    {
        // TensorBoard reads the files of a directory in order of name: the time in it, in seconds, comes first; a counter behind it
        // keeps runs that start within one second apart and in order.
        long seconds = _clock.GetUtcNow().ToUnixTimeSeconds();
        for (int i = 0; ; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{seconds:D10}.{i:D3}.cogrpo");
            string path = System.IO.Path.Combine(directory, name);
            if (!File.Exists(path))
            {
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            }
        }
    }

    /// <summary>Event.summary = 5, Summary.value = 1.</summary>
    private void Summary(long step, ProtoBuffer value) => Write(step, new ProtoBuffer().Message(5, new ProtoBuffer().Message(1, value)));

    /// <summary>Event.wall_time = 1, Event.step = 2, then <paramref name="what"/>, framed as length, its checksum, data, their checksum.</summary>
    private void Write(long step, ProtoBuffer what)
    {
        double wallTime = (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;
        ProtoBuffer head = new ProtoBuffer().Double(1, wallTime).Varint(2, step);
        byte[] record = new byte[12 + head.Written.Length + what.Written.Length + 4];
        BinaryPrimitives.WriteInt64LittleEndian(record, record.Length - 16);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), Crc32C.Masked(record.AsSpan(0, 8)));
        head.Written.CopyTo(record.AsSpan(12));
        what.Written.CopyTo(record.AsSpan(12 + head.Written.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(record.Length - 4), Crc32C.Masked(record.AsSpan(12, record.Length - 16)));
        _stream.Write(record);
    }
}
