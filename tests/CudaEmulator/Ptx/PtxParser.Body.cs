using System.Globalization;

namespace CoGrpo.CudaEmulator.Ptx;

/// <summary>Function bodies: declarations, labels, instructions and their operands.</summary>
internal sealed partial class PtxParser
{
    private readonly Dictionary<(int File, int Line, int Column), SourceLine> _lines = [];

    private sealed record Body(List<PtxInstruction> Instructions, List<PtxVariable> Variables);

    private Body ReadBody(List<PtxVariable> parameters, List<PtxVariable> results)
    {
        Body body = new([], []);
        PtxScope scope = new(null);
        foreach (PtxVariable variable in parameters.Concat(results))
        {
            scope.Declare(variable);
        }

        SourceLine? source = null;
        Expect('{');
        int depth = 1;
        while (depth > 0)
        {
            if (_token.Is('{'))
            {
                scope = new PtxScope(scope);
                depth++;
                Advance();
            }
            else if (_token.Is('}'))
            {
                scope = scope.Parent ?? scope;
                depth--;
                Advance();
            }
            else if (_token.Is(';'))
            {
                Advance();
            }
            else if (_token.Kind == PtxTokenKind.Dotted)
            {
                ReadBodyDirective(body, scope, ref source);
            }
            else if (_token.Kind == PtxTokenKind.Name && Peek().Is(':'))
            {
                ReadLabel(body, scope);
            }
            else if (_token.Kind == PtxTokenKind.Name || _token.Is('@'))
            {
                body.Instructions.Add(ReadInstruction(scope, source));
            }
            else
            {
                throw Unexpected("an instruction");
            }
        }

        return body;
    }

    private void ReadBodyDirective(Body body, PtxScope scope, ref SourceLine? source)
    {
        switch (_token.Text)
        {
            case ".reg":
                ReadRegisters(scope);
                break;
            case ".loc":
                source = ReadLocation() ?? source;
                break;
            case ".pragma":
                SkipTo(';');
                break;
            case ".local":
                ReadVariables(PtxSpace.Local, false, Add);
                break;
            case ".shared":
                ReadVariables(PtxSpace.Shared, false, Add);
                break;
            case ".param":
                ReadVariables(PtxSpace.Parameter, false, Add);
                break;
            case ".global":
                ReadVariables(PtxSpace.Global, false, Add);
                break;
            case ".const":
                ReadVariables(PtxSpace.Constant, false, Add);
                break;
            default:
                throw Unexpected("a directive of a function body");
        }

        void Add(PtxVariable variable)
        {
            scope.Declare(variable);
            body.Variables.Add(variable);
        }
    }

    private void ReadRegisters(PtxScope scope)
    {
        Advance();
        (PtxType type, _, int width) = ReadVariableType();
        if (width != 1)
        {
            throw new PtxException(_token.Line, "vector registers are not supported");
        }

        while (true)
        {
            string name = Expect(PtxTokenKind.Name).Text;
            if (_token.Is('<'))
            {
                Advance();
                scope.DeclareRange(name, (int)ParseInteger(Expect(PtxTokenKind.Number)), type);
                Expect('>');
            }
            else
            {
                scope.Declare(new PtxRegister(name, type));
            }

            if (!_token.Is(','))
            {
                break;
            }

            Advance();
        }

        Expect(';');
    }

    /// <summary>A location; null for one without a line, which leaves the last one in force.</summary>
    private SourceLine? ReadLocation()
    {
        int row = _token.Line;
        Advance();
        (int file, int line, int column) = ReadPosition();
        SourceLine? outer = null;
        while (_token.Is(',') && _token.Line == row)
        {
            Advance();
            string word = Expect(PtxTokenKind.Name).Text;
            if (word == "inlined_at")
            {
                (int File, int Line, int Column) at = ReadPosition();
                outer = _lines.GetValueOrDefault(at) ?? new SourceLine(at.File, at.Line);
            }
            else
            {
                // function_name label, possibly label + offset
                Advance();
                if (_token.Is('+'))
                {
                    Advance();
                    Advance();
                }
            }
        }

        if (line == 0)
        {
            return null;
        }

        SourceLine result = new(file, line, outer);
        if (_lines.TryGetValue((file, line, column), out SourceLine? known) && known == result)
        {
            return known;
        }

        _lines[(file, line, column)] = result;
        return result;
    }

    private (int File, int Line, int Column) ReadPosition() =>
        (
            (int)ParseInteger(Expect(PtxTokenKind.Number)),
            (int)ParseInteger(Expect(PtxTokenKind.Number)),
            (int)ParseInteger(Expect(PtxTokenKind.Number))
        );

    private void ReadLabel(Body body, PtxScope scope)
    {
        string name = Expect(PtxTokenKind.Name).Text;
        Expect(':');
        switch (_token.Text)
        {
            case ".branchtargets":
            case ".calltargets":
                Advance();
                List<string> labels = [];
                while (!_token.Is(';'))
                {
                    labels.Add(Expect(PtxTokenKind.Name).Text);
                    if (_token.Is(','))
                    {
                        Advance();
                    }
                }

                Advance();
                scope.Targets(name, [.. labels]);
                break;
            case ".callprototype":
                SkipTo(';');
                break;
            default:
                scope.Label(name, body.Instructions.Count);
                break;
        }
    }

    private PtxInstruction ReadInstruction(PtxScope scope, SourceLine? source)
    {
        int line = _token.Line;
        PtxRegister? guard = null;
        bool negated = false;
        if (_token.Is('@'))
        {
            Advance();
            if (_token.Is('!'))
            {
                negated = true;
                Advance();
            }

            string name = Expect(PtxTokenKind.Name).Text;
            guard = scope.FindRegister(name) ?? throw new PtxException(line, $"predicate {name} is not declared");
        }

        string opcode = Expect(PtxTokenKind.Name).Text;
        List<string> modifiers = [];
        List<PtxType> types = [];
        while (_token.Kind == PtxTokenKind.Dotted)
        {
            modifiers.Add(_token.Text);
            if (PtxType.TryParse(_token.Text, out PtxType type))
            {
                types.Add(type);
            }

            Advance();
        }

        List<PtxOperand> operands = [];
        while (!_token.Is(';'))
        {
            operands.Add(ReadOperand(scope));
            if (_token.Is(','))
            {
                Advance();
            }
            else if (!_token.Is(';'))
            {
                throw Unexpected("«,» or «;»");
            }
        }

        Advance();
        return new PtxInstruction
        {
            Opcode = opcode,
            Modifiers = [.. modifiers],
            Types = [.. types],
            Operands = [.. operands],
            Guard = guard,
            GuardNegated = negated,
            Line = line,
            Source = source,
            Scope = scope,
        };
    }

    private PtxOperand ReadOperand(PtxScope scope)
    {
        if (_token.Is('{') || _token.Is('('))
        {
            char close = _token.Is('{') ? '}' : ')';
            Advance();
            List<PtxOperand> items = [];
            while (!_token.Is(close))
            {
                items.Add(ReadOperand(scope));
                if (_token.Is(','))
                {
                    Advance();
                }
                else if (!_token.Is(close))
                {
                    throw Unexpected($"«,» or «{close}»");
                }
            }

            Advance();
            return new PtxOperand.Vector([.. items]);
        }

        if (_token.Is('['))
        {
            Advance();
            PtxOperand? at = _token.Kind == PtxTokenKind.Number || _token.Is('-') ? null : ReadSimple(scope);
            long offset = at is PtxOperand.Symbol symbol ? symbol.Offset : 0;
            while (!_token.Is(']') && !_token.Is(','))
            {
                bool minus = _token.Is('-');
                if (_token.Is('+') || _token.Is('-'))
                {
                    Advance();
                }

                if (_token.Is('-'))
                {
                    minus = !minus;
                    Advance();
                }

                long part = (long)ParseInteger(Expect(PtxTokenKind.Number));
                offset += minus ? -part : part;
            }

            PtxOperand? second = null;
            if (_token.Is(','))
            {
                Advance();
                second = ReadOperand(scope);
            }

            Expect(']');
            return new PtxOperand.Address(at is PtxOperand.Symbol named ? named with { Offset = 0 } : at, offset, second);
        }

        PtxOperand first = ReadSimple(scope);
        if (!_token.Is('|'))
        {
            return first;
        }

        Advance();
        PtxOperand second2 = ReadSimple(scope);
        return new PtxOperand.Pair((first as PtxOperand.Register)?.Value, (second2 as PtxOperand.Register)?.Value);
    }

    private PtxOperand ReadSimple(PtxScope scope)
    {
        if (_token.Is('!'))
        {
            Advance();
            return ReadSimple(scope) switch
            {
                PtxOperand.Register register => register with { Negated = !register.Negated },
                PtxOperand.Special special => special with { Negated = !special.Negated },
                _ => throw Unexpected("a predicate after «!»"),
            };
        }

        if (_token.Is('-'))
        {
            Advance();
            PtxOperand.Immediate value = ParseImmediate(Expect(PtxTokenKind.Number));
            return value.Form switch
            {
                ImmediateForm.Integer => value with { Bits = (ulong)-(long)value.Bits },
                ImmediateForm.Single => value with { Bits = value.Bits ^ 0x80000000 },
                _ => value with { Bits = value.Bits ^ 0x8000000000000000 },
            };
        }

        if (_token.Kind == PtxTokenKind.Number)
        {
            PtxToken number = _token;
            Advance();
            return ParseImmediate(number);
        }

        string name = Expect(PtxTokenKind.Name).Text;
        if (name == "_")
        {
            return new PtxOperand.Sink();
        }

        if (scope.FindRegister(name) is { } declared)
        {
            return new PtxOperand.Register(declared);
        }

        if (name[0] == '%')
        {
            if (_token.Kind == PtxTokenKind.Dotted && _token.Text is ".x" or ".y" or ".z" or ".w")
            {
                name += _token.Text;
                Advance();
            }

            return new PtxOperand.Special(name);
        }

        if (name == "WARP_SZ")
        {
            return new PtxOperand.Immediate(32, ImmediateForm.Integer);
        }

        long offset = 0;
        while (_token.Is('+') && Peek().Kind == PtxTokenKind.Number)
        {
            Advance();
            offset += (long)ParseInteger(Expect(PtxTokenKind.Number));
        }

        return new PtxOperand.Symbol(name, offset);
    }

    private static PtxOperand.Immediate ParseImmediate(PtxToken token)
    {
        string text = token.Text;
        if (text.Length == 10 && text[0] == '0' && text[1] is 'f' or 'F')
        {
            return new PtxOperand.Immediate(uint.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture), ImmediateForm.Single);
        }

        if (text.Length == 18 && text[0] == '0' && text[1] is 'd' or 'D')
        {
            return new PtxOperand.Immediate(ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture), ImmediateForm.Double);
        }

        bool hexadecimal = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (!hexadecimal && (text.Contains('.', StringComparison.Ordinal) || text.Contains('e', StringComparison.OrdinalIgnoreCase)))
        {
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                ? new PtxOperand.Immediate(BitConverter.DoubleToUInt64Bits(value), ImmediateForm.Double)
                : throw new PtxException(token.Line, $"number {text} cannot be read");
        }

        return new PtxOperand.Immediate(ParseInteger(token), ImmediateForm.Integer);
    }

    private static ulong ParseInteger(PtxToken token)
    {
        string text = token.Text.TrimEnd('U', 'u');
        bool good;
        ulong value = 0;
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            good = ulong.TryParse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out value);
        }
        else if (text.StartsWith("0b", StringComparison.OrdinalIgnoreCase))
        {
            good = ulong.TryParse(text.AsSpan(2), NumberStyles.BinaryNumber, CultureInfo.InvariantCulture, out value);
        }
        else if (text.Length > 1 && text[0] == '0')
        {
            good = text.All(c => c is >= '0' and <= '7');
            value = good ? text.Aggregate(0UL, (sum, c) => (sum << 3) | (uint)(c - '0')) : 0;
        }
        else
        {
            good = ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        }

        return good ? value : throw new PtxException(token.Line, $"number {token.Text} cannot be read");
    }
}
