using System.Globalization;
using System.Text;

namespace CoGrpo.Rl.Rewards;

/// <summary>
/// One request and its answer on a connection of HTTP/1.1 (RFC 9112), as much of it as clients of a reward use: a body with its length in front, one
/// request for each connection.
/// </summary>
internal static class HttpExchange
{
    private const int MostHeaderBytes = 16 << 10;
    private const int PieceBytes = 1 << 16;
    private const long MostDrained = 16 << 20;

    private static readonly Dictionary<int, string> Reasons = new()
    {
        [200] = "OK",
        [400] = "Bad Request",
        [405] = "Method Not Allowed",
        [408] = "Request Timeout",
        [411] = "Length Required",
        [413] = "Content Too Large",
        [431] = "Request Header Fields Too Large",
        [500] = "Internal Server Error",
        [503] = "Service Unavailable",
    };

    /// <summary>Reads a POST request: 200 and its body, or the status to refuse it with and what is wrong.</summary>
    /// <exception cref="IOException">The connection broke or ended.</exception>
    public static async Task<(int Status, byte[] Body, string Wrong)> Read(Stream stream, long mostBytes, CancellationToken cancellation)
    {
        byte[] buffer = new byte[MostHeaderBytes];
        int filled = 0, end;
        while ((end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (filled == buffer.Length)
            {
                return (431, [], $"wanted headers of at most {MostHeaderBytes} bytes; send fewer");
            }

            int read = await stream.ReadAsync(buffer.AsMemory(filled), cancellation).ConfigureAwait(false);
            filled += read > 0 ? read : throw new EndOfStreamException();
        }

        string[] lines = Encoding.Latin1.GetString(buffer, 0, end).Split("\r\n");
        string[] words = lines[0].Split(' ');
        if (words.Length != 3 || !words[2].StartsWith("HTTP/1.", StringComparison.Ordinal))
        {
            return (400, [], "wanted a request of HTTP/1.1; use an HTTP client");
        }

        if (words[0] != "POST")
        {
            return (405, [], "wanted POST; send prompts and images");
        }

        string[] Values(string name) =>
            [
                .. lines
                    .Skip(1)
                    .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
                    .Select(line => line[(name.Length + 1)..].Trim())
                    .Distinct(),
            ];
        string[] lengths = Values("Content-Length");
        if (lengths.Length == 0 || Values("Transfer-Encoding").Length > 0)
        {
            return (411, [], "wanted a request with a Content-Length and no transfer encoding; send it whole");
        }

        if (lengths.Length > 1 || !long.TryParse(lengths[0], NumberStyles.None, CultureInfo.InvariantCulture, out long length))
        {
            return (400, [], "wanted one Content-Length that is a number of bytes; use an HTTP client");
        }

        if (length > mostBytes)
        {
            return (413, [], $"wanted a request of at most {mostBytes} bytes, got {length}; send fewer pictures at a time");
        }

        if (Values("Expect").Length > 0)
        {
            await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), cancellation).ConfigureAwait(false);
        }

        // Grows with what arrives: a length costs nothing until its bytes are there.
        using var body = new MemoryStream();
        body.Write(buffer, end + 4, (int)Math.Min(length, filled - end - 4));
        byte[] piece = new byte[PieceBytes];
        while (body.Length < length)
        {
            int read = await stream
                .ReadAsync(piece.AsMemory(0, (int)Math.Min(piece.Length, length - body.Length)), cancellation)
                .ConfigureAwait(false);
            body.Write(piece, 0, read > 0 ? read : throw new EndOfStreamException());
        }

        return (200, body.ToArray(), "");
    }

    /// <summary>Writes the answer and says that there will be no other.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async Task Write(Stream stream, int status, byte[] body, CancellationToken cancellation)
    {
        string head = string.Create(CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status} {Reasons[status]}\r\nContent-Type: {RewardProtocol.MediaType}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n");
        await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. body], cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Reads on after the answer to a request that was not read to its end, up to a bound: a connection closed on unread bytes may take the answer
    /// with it.
    /// </summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async Task Drain(Stream stream, CancellationToken cancellation)
    {
        byte[] piece = new byte[PieceBytes];
        for (long drained = 0; drained < MostDrained;)
        {
            int read = await stream.ReadAsync(piece, cancellation).ConfigureAwait(false);
            drained += read;
            if (read == 0)
            {
                return;
            }
        }
    }
}
