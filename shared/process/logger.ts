/**
 * Where does a process say what it does?
 *
 * On its standard output, a line of JSON each, before it goes on. A line that cannot be written, because the disk is full or
 * its reader has gone, ends nothing: what is not written waits, up to `KEPT_BYTES`; what comes then is lost, and as soon
 * as there is room again a line says how many lines that were.
 *
 * Pino's own output does neither: an error ends the process, and before its end it would try for ever to write the rest.
 */
import { writeSync } from 'node:fs'
import { type Logger, pino } from 'pino'

const KEPT_BYTES = 1_048_576
const RETRY_MS = 1_000
const STANDARD_OUTPUT = 1

/** What Redis refused bears all that its command was given: what belongs to customers, and secrets. The name of the command is enough. */
const toldError = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error
  const told = pino.stdSerializers.err(error)
  const command: unknown = Object(told.command).name
  return command === undefined ? told : { ...told, command }
}

/** Every line names the part of the shop and its replica. */
export const openLogger = (name: string, replica: string, level: string): Logger => {
  let kept = Buffer.alloc(0)
  let lost = 0
  let retry: NodeJS.Timeout | undefined

  const flush = (): void => {
    retry = undefined
    try {
      while (kept.length > 0) kept = kept.subarray(writeSync(STANDARD_OUTPUT, kept))
    } catch {
      // There is nowhere to say it, until there is room.
      retry = setTimeout(flush, RETRY_MS).unref()
      return
    }
    if (lost === 0) return
    const lines = lost
    lost = 0
    logger.warn({ lines }, 'the log could not be written for a while: lines are missing')
  }

  const write = (line: string): void => {
    const bytes = Buffer.from(line)
    if (kept.length + bytes.length > KEPT_BYTES) lost += 1
    else kept = kept.length === 0 ? bytes : Buffer.concat([kept, bytes])
    if (retry === undefined) flush()
  }
  const logger = pino({ base: { name, replica }, level, serializers: { err: toldError } }, { write })
  return logger
}
