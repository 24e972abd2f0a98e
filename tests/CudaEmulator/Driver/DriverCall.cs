using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>The frame of a driver call: finds the current context, holds its lock, turns exceptions into result codes.</summary>
internal static class DriverCall
{
    [ThreadStatic]
    private static EmulatedContext? _current;

    [ThreadStatic]
    private static string? _lastDetail;

    /// <summary>What there is to say about the last call of this thread that failed.</summary>
    public static string? LastDetail => _lastDetail;

    /// <summary>The context of this thread.</summary>
    public static EmulatedContext? Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>A call that needs no context.</summary>
    public static CudaResult Run(Action body)
    {
        try
        {
            body();
            return CudaResult.Success;
        }
        catch (DriverException error)
        {
            return Failed(error.Result, error.Message);
        }
        catch (Exception error)
        {
            return Failed(CudaResult.Unknown, $"the emulator failed: {error}");
        }
    }

    /// <summary>A call on the current context, which must be in good order.</summary>
    public static CudaResult InContext(Action<EmulatedContext> body) => Run(() =>
    {
        EmulatedContext context = Require();
        lock (context.Gate)
        {
            ThrowSticky(context);
            body(context);
            ThrowSticky(context);
        }
    });

    /// <summary>A call that frees something: works after a failure too, so that what comes after one does not hide it.</summary>
    public static CudaResult Freeing(Action<EmulatedContext> body) => Run(() =>
    {
        EmulatedContext context = Require();
        lock (context.Gate)
        {
            body(context);
        }
    });

    /// <summary>The object of a handle in the context.</summary>
    /// <exception cref="DriverException">There is none.</exception>
    public static T Object<T>(nint handle)
        where T : class =>
        Handles.Get<T>(handle)
        ?? throw new DriverException(
            CudaResult.InvalidHandle,
            $"0x{handle:x} is no {typeof(T).Name.Replace("Emulated", "", StringComparison.Ordinal).ToLowerInvariant()}"
        );

    /// <summary>The stream of a handle; 0 is the default one.</summary>
    public static EmulatedStream Stream(EmulatedContext context, nint handle)
    {
        EmulatedStream stream = handle is 0 or 1 or 2 ? context.DefaultStream : Object<EmulatedStream>(handle);
        return stream.Context == context ? stream : throw new DriverException(CudaResult.InvalidHandle, "the stream belongs to another context");
    }

    /// <summary>
    /// A call that may not be made while this thread records a graph: it fails, and breaks the recording.
    /// </summary>
    /// <exception cref="DriverException">The thread records.</exception>
    public static void NotWhileRecording(EmulatedContext context, string what)
    {
        foreach (CaptureSession session in context.Streams.Select(s => s.Capture).OfType<CaptureSession>())
        {
            if (session.Thread == Environment.CurrentManagedThreadId)
            {
                session.Broken ??= $"{what} while a graph was being recorded";
                throw new DriverException(CudaResult.StreamCaptureUnsupported, $"{what} is not possible while this thread records a graph");
            }
        }
    }

    private static CudaResult Failed(CudaResult result, string detail)
    {
        _lastDetail = detail;
        return result;
    }

    private static EmulatedContext Require()
    {
        EmulatedContext context = _current ?? throw new DriverException(CudaResult.InvalidContext, "no context is current on this thread");
        return context.IsDestroyed ? throw new DriverException(DriverErrors.ContextIsDestroyed, "the context was destroyed") : context;
    }

    private static void ThrowSticky(EmulatedContext context)
    {
        if (context.StickyError != CudaResult.Success)
        {
            throw new DriverException(context.StickyError, context.StickyDetail);
        }
    }
}
