/**
 * What did one request cause, in which processes, and how long did that take?
 *
 * One sampled request is one *trace*: spans, each of one process, told to a collector by OTLP. Who is part of a trace says so by one
 * text, as W3C Trace Context has it in `traceparent`, which names the trace and the span that is gone on from: in the header of a
 * request, in an entry (see `shared/contract/events.ts`), in the record of a saga. What is not sampled bears none: the gateway decides.
 *
 * OpenTelemetry's packages are loaded only where an endpoint is set, and wrap nothing: spans are made where a trace is seen.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Setting } from './config.ts'
import { openTelling } from './telling.ts'

export type Attributes = Readonly<Record<string, string | number>>

export type Span = {
  /** What goes on from here bears this. */
  readonly trace: string
  /** Ends it, with what is known only now. */
  readonly end: (attributes?: Attributes) => void
}

export type SpanKind = 'server' | 'consumer' | 'internal'

export type Tracing = {
  /** Begins a span: of the trace that `parent` names, or of a new one. */
  readonly start: (kind: SpanKind, name: string, parent: string | undefined, attributes: Attributes) => Span
}

const FORM = /^(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16})-[0-9a-f]([0-9a-f])(?:$|-)/

/** What `traceparent` says, in the form of this version, if it is of a trace that is sampled. */
export const sampledIn = (traceparent: unknown): string | undefined => {
  if (typeof traceparent !== 'string') return undefined
  const [, ids, flags = '0'] = FORM.exec(traceparent) ?? []
  return ids !== undefined && (Number.parseInt(flags, 16) & 1) === 1 ? `00-${ids}-01` : undefined
}

/** The id of a sampled trace. */
export const traceIdIn = (traceparent: unknown): string | undefined => sampledIn(traceparent)?.slice(3, 35)

/** Where traces are told, by the variable that OpenTelemetry has for it; what else it has is read by its packages. */
export const tracesEndpoint: Setting<string> = {
  variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
  parse: (given) => {
    if (!/^https?:$/.test(URL.parse(given)?.protocol ?? '')) throw new Error(`must be a URL, not "${given}"`)
    return given
  },
  fallback: '',
}

/** How often spans are told, and for how long the last ones may take. */
const EXPORT_MS = 1_000
const EXPORT_TIMEOUT_MS = 5_000
const CLOSE_MS = 1_500

const ignore = (): void => undefined

/** Opens the traces of a process, which end with the stack. Spans that cannot be told are lost, and counted in the log. */
export const openTracing = async (
  { name, replica }: { readonly name: string; readonly replica: string },
  stack: AsyncDisposableStack,
  logger: Logger,
): Promise<Tracing> => {
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const tell = openTelling(logger, 'traces cannot be told')
  const error = (reason: string): void => tell({ reason })
  api.diag.setLogger({ error, warn: ignore, info: ignore, debug: ignore, verbose: ignore }, api.DiagLogLevel.ERROR)
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': name, 'service.instance.id': replica }),
    sampler: new sdk.AlwaysOnSampler(),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new OTLPTraceExporter(),
        scheduledDelayMillis: EXPORT_MS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  })
  // A collector that is away keeps nobody from ending.
  stack.defer(() => Promise.race([provider.shutdown(), after(CLOSE_MS, undefined, { ref: false })]))
  const tracer = provider.getTracer('saga-shop')
  const kinds = {
    server: api.SpanKind.SERVER,
    consumer: api.SpanKind.CONSUMER,
    internal: api.SpanKind.INTERNAL,
  } as const

  const contextOf = (parent: string | undefined) =>
    parent === undefined
      ? api.ROOT_CONTEXT
      : api.trace.setSpanContext(api.ROOT_CONTEXT, {
          traceId: parent.slice(3, 35),
          spanId: parent.slice(36, 52),
          traceFlags: api.TraceFlags.SAMPLED,
          isRemote: true,
        })
  return {
    start: (kind, spanName, parent, attributes) => {
      const span = tracer.startSpan(spanName, { kind: kinds[kind], attributes }, contextOf(parent))
      const { traceId, spanId } = span.spanContext()
      return {
        trace: `00-${traceId}-${spanId}-01`,
        end: (more) => {
          if (more) span.setAttributes(more)
          span.end()
        },
      }
    },
  }
}
