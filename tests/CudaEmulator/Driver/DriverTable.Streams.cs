using System.Diagnostics;
using System.Runtime.InteropServices;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>Streams, events and graphs.</summary>
internal static unsafe partial class DriverTable
{
    private const uint NonBlocking = 1;

    [UnmanagedCallersOnly]
    private static CudaResult StreamCreate(nint* stream, uint flags) => DriverCall.InContext(context =>
    {
        EmulatedStream made = new(context, flags != NonBlocking);
        context.Own(made);
        *stream = Handles.Add(made);
    });

    [UnmanagedCallersOnly]
    private static CudaResult StreamDestroy(nint stream) => DriverCall.Freeing(context =>
    {
        EmulatedStream ended = DriverCall.Object<EmulatedStream>(stream);
        if (ended.Capture is not null)
        {
            throw new DriverException(CudaResult.StreamCaptureUnsupported, "a stream that is being recorded cannot be destroyed");
        }

        ended.Run();
        context.Disown(ended);
        Handles.Remove(stream);
    });

    [UnmanagedCallersOnly]
    private static CudaResult StreamSynchronize(nint stream) => DriverCall.InContext(context =>
    {
        EmulatedStream queue = DriverCall.Stream(context, stream);
        NotRecorded(queue, "waiting for the stream");
        queue.Run();
    });

    [UnmanagedCallersOnly]
    private static CudaResult StreamQuery(nint stream)
    {
        bool idle = true;
        CudaResult result = DriverCall.InContext(context =>
        {
            EmulatedStream queue = DriverCall.Stream(context, stream);
            NotRecorded(queue, "asking whether the stream is idle");
            idle = queue.IsIdle;
            queue.Step();
        });
        return result == CudaResult.Success && !idle ? CudaResult.NotReady : result;
    }

    [UnmanagedCallersOnly]
    private static CudaResult StreamWaitEvent(nint stream, nint handle, uint flags) => DriverCall.InContext(context =>
    {
        EmulatedStream queue = DriverCall.Stream(context, stream);
        EmulatedEvent waited = DriverCall.Object<EmulatedEvent>(handle);
        ForbidEndedRecording(waited);
        if (waited.Capture is { } session)
        {
            if (queue.Capture is { } own && own != session)
            {
                own.Broken ??= "waiting for an event of another recording";
                throw new DriverException(DriverErrors.StreamCaptureUnmatched, "the stream and the event belong to different recordings");
            }

            session.Join(queue, waited.CaptureBefore);
        }
        else if (queue.Capture is { } recording)
        {
            recording.Broken ??= "waiting for an event recorded outside";
            throw new DriverException(DriverErrors.StreamCaptureIsolation, "a recording cannot wait for an event that was recorded outside it");
        }
        else if (waited.Mark is { } mark)
        {
            queue.Add(new WaitCommand(mark));
        }
    });

    [UnmanagedCallersOnly]
    private static CudaResult StreamBeginCapture(nint stream, int mode) => DriverCall.InContext(context =>
    {
        EmulatedStream queue = DriverCall.Stream(context, stream);
        if (queue == context.DefaultStream || mode is < 0 or > 2)
        {
            throw new DriverException(queue == context.DefaultStream ? CudaResult.StreamCaptureUnsupported : CudaResult.InvalidValue, "the default stream cannot be recorded");
        }

        if (queue.Capture is not null)
        {
            throw new DriverException(DriverErrors.IllegalState, "the stream is being recorded already");
        }

        _ = new CaptureSession(queue);
    });

    [UnmanagedCallersOnly]
    private static CudaResult StreamEndCapture(nint stream, nint* graph) => DriverCall.InContext(context =>
    {
        *graph = 0;
        EmulatedStream queue = DriverCall.Stream(context, stream);
        CaptureSession session = queue.Capture ?? throw new DriverException(DriverErrors.IllegalState, "the stream is not being recorded");
        if (session.Origin != queue)
        {
            throw new DriverException(DriverErrors.StreamCaptureUnmatched, "a recording ends on the stream it began on");
        }

        session.End();
        if (session.Broken is { } why)
        {
            throw new DriverException(CudaResult.StreamCaptureInvalidated, $"the recording was broken by {why}");
        }

        if (session.HasUnjoined)
        {
            throw new DriverException(DriverErrors.StreamCaptureUnjoined, "streams that joined the recording have work that its first stream does not wait for");
        }

        EmulatedGraph made = new(context, session.Nodes);
        context.Own(made);
        *graph = Handles.Add(made);
    });

    [UnmanagedCallersOnly]
    private static CudaResult EventCreate(nint* handle, uint flags) => DriverCall.InContext(context =>
    {
        EmulatedEvent made = new(context);
        context.Own(made);
        *handle = Handles.Add(made);
    });

    [UnmanagedCallersOnly]
    private static CudaResult EventDestroy(nint handle) => DriverCall.Freeing(context =>
    {
        context.Disown(DriverCall.Object<EmulatedEvent>(handle));
        Handles.Remove(handle);
    });

    [UnmanagedCallersOnly]
    private static CudaResult EventRecord(nint handle, nint stream) => DriverCall.InContext(context =>
    {
        EmulatedStream queue = DriverCall.Stream(context, stream);
        EmulatedEvent recorded = DriverCall.Object<EmulatedEvent>(handle);
        (recorded.Capture, recorded.CaptureBefore) = (queue.Capture, queue.Capture?.Before(queue) ?? []);
        if (queue.Capture is null)
        {
            RecordCommand mark = new(queue);
            recorded.Mark = mark;
            Queue(context, stream, mark);
        }
    });

    [UnmanagedCallersOnly]
    private static CudaResult EventSynchronize(nint handle) => DriverCall.InContext(_ =>
    {
        EmulatedEvent waited = DriverCall.Object<EmulatedEvent>(handle);
        if (waited.Capture is { } session)
        {
            session.Broken ??= "waiting for an event of the recording";
            throw new DriverException(DriverErrors.CapturedEvent, "the event was last recorded in a graph: its work does not run");
        }

        if (waited.Mark is { } mark)
        {
            mark.Stream.RunUntil(mark);
        }
    });

    [UnmanagedCallersOnly]
    private static CudaResult EventElapsedTime(float* milliseconds, nint start, nint end)
    {
        bool ready = true;
        CudaResult result = DriverCall.InContext(_ =>
        {
            EmulatedEvent first = DriverCall.Object<EmulatedEvent>(start);
            EmulatedEvent last = DriverCall.Object<EmulatedEvent>(end);
            if (first.Capture is not null || last.Capture is not null)
            {
                throw new DriverException(DriverErrors.CapturedEvent, "an event was last recorded in a graph: it has no time");
            }

            if (first.Mark is null || last.Mark is null)
            {
                throw new DriverException(CudaResult.InvalidHandle, "an event was never recorded");
            }

            ready = first.Mark.IsReached && last.Mark.IsReached;
            *milliseconds = ready ? (float)Stopwatch.GetElapsedTime(first.Mark.Time, last.Mark.Time).TotalMilliseconds : 0;
        });
        return result == CudaResult.Success && !ready ? CudaResult.NotReady : result;
    }

    [UnmanagedCallersOnly]
    private static CudaResult GraphInstantiate(nint* executable, nint graph, ulong flags) => DriverCall.InContext(context =>
    {
        EmulatedGraphExec made = new(context, [.. DriverCall.Object<EmulatedGraph>(graph).Nodes]);
        context.Own(made);
        *executable = Handles.Add(made);
    });

    [UnmanagedCallersOnly]
    private static CudaResult GraphLaunch(nint executable, nint stream) => DriverCall.InContext(context =>
    {
        EmulatedGraphExec graph = DriverCall.Object<EmulatedGraphExec>(executable);
        foreach (StreamCommand command in graph.Nodes)
        {
            Queue(context, stream, command);
        }
    });

    [UnmanagedCallersOnly]
    private static CudaResult GraphGetNodes(nint graph, nint* nodes, nuint* count) => DriverCall.InContext(_ =>
    {
        EmulatedGraph asked = DriverCall.Object<EmulatedGraph>(graph);
        if (nodes != null)
        {
            for (nuint i = 0; i < Math.Min(*count, (nuint)asked.Nodes.Count); i++)
            {
                nodes[i] = (nint)i + 1;
            }
        }

        *count = (nuint)asked.Nodes.Count;
    });

    [UnmanagedCallersOnly]
    private static CudaResult GraphExecDestroy(nint executable) => DriverCall.Freeing(context =>
    {
        EmulatedGraphExec ended = DriverCall.Object<EmulatedGraphExec>(executable);

        // What was launched still finishes.
        context.RunAll();
        context.Disown(ended);
        Handles.Remove(executable);
    });

    [UnmanagedCallersOnly]
    private static CudaResult GraphDestroy(nint graph) => DriverCall.Freeing(context =>
    {
        context.Disown(DriverCall.Object<EmulatedGraph>(graph));
        Handles.Remove(graph);
    });

    private static void ForbidEndedRecording(EmulatedEvent waited)
    {
        if (waited.Capture is { IsOver: true })
        {
            throw new DriverException(DriverErrors.CapturedEvent, "the event was last recorded in a graph whose recording is over");
        }
    }

    private static void NotRecorded(EmulatedStream stream, string what)
    {
        if (stream.Capture is { } session)
        {
            session.Broken ??= what;
            throw new DriverException(CudaResult.StreamCaptureUnsupported, $"{what} is not possible while it is being recorded");
        }
    }
}
