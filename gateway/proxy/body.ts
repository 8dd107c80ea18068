/**
 * How is a request's body read?
 *
 * Whole and bounded, so that the request can be sent again. Nearly no request has one.
 */

import type { IncomingMessage } from 'node:http'

export const BODY_MAX_BYTES = 65_536

/** What reading a body can come to; if the client goes away midway, nothing is told. */
export type BodyRead = { readonly body: Buffer } | 'too large'

/** Reads a body of which `declaredBytes` are announced (`undefined`: it comes in chunks), and tells `done` once. */
export const readBody = (
  request: IncomingMessage,
  declaredBytes: number | undefined,
  done: (read: BodyRead) => void,
): void => {
  if (declaredBytes !== undefined && declaredBytes > BODY_MAX_BYTES) return done('too large')
  const chunks: Buffer[] = []
  let bytes = 0
  const onData = (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= BODY_MAX_BYTES) {
      chunks.push(chunk)
      return
    }
    request.off('data', onData).off('end', onEnd).resume()
    done('too large')
  }
  const onEnd = () => done({ body: Buffer.concat(chunks, bytes) })
  request.on('data', onData).on('end', onEnd)
}
