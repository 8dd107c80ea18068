/** Which entries of a batch are of a trace, and what is told of applying them? */

import { field, kindOf, type RawEntry } from '../contract/raw-entry.ts'
import type { Service } from '../contract/services.ts'
import { type Span, sampledIn, type Tracing } from '../process/tracing.ts'
import type { Reply } from '../redis/script.ts'

export type BatchSpans = {
  /** What each entry of a trace goes on with here, by its id. */
  readonly traces: ReadonlyMap<string, string>
  /** Ends them: with what came of each, or without, if that is unknown. */
  readonly end: (replies?: readonly Reply[]) => void
}

/** Begins a span for each entry of a trace, of those that are handled here; `undefined` if there is none. */
export const beginSpans = (
  tracing: Tracing,
  publisher: Service,
  handled: readonly RawEntry[],
): BatchSpans | undefined => {
  const spans = handled.map((entry): Span | undefined => {
    const trace = sampledIn(field(entry, 'trace'))
    if (trace === undefined) return undefined
    const kind = kindOf(entry) ?? ''
    return tracing.start('consumer', `process ${kind}`, trace, {
      'messaging.system': 'redis',
      'messaging.destination.name': `log:${publisher}`,
      'messaging.operation.type': 'process',
      'messaging.message.id': entry[0],
      'shop.kind': kind,
      'shop.log_id': field(entry, 'log_id') ?? '',
    })
  })
  if (spans.every((span) => span === undefined)) return undefined
  return {
    traces: new Map(spans.flatMap((span, at) => (span ? [[handled[at]?.[0] ?? '', span.trace] as const] : []))),
    end: (replies) => {
      for (const [at, span] of spans.entries()) span?.end({ 'shop.result': replies?.[at]?.[0] ?? 'unknown' })
    },
  }
}
