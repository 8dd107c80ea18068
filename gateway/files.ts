/**
 * How does the gateway serve files of its own?
 *
 * Those that are listed, under the paths that are listed, and no other. Each is read when it is first wanted, and has a mark
 * (`ETag`) by which a browser that has it is not sent it again.
 */
import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { isSeen } from '../shared/http/etag.ts'

export type File = { readonly type: string; readonly url: string }

export const HTML = 'text/html; charset=utf-8'
export const SCRIPT = 'text/javascript; charset=utf-8'
export const STYLE = 'text/css; charset=utf-8'

export type FilesOptions = {
  /** By the path under which each is served. */
  readonly files: ReadonlyMap<string, File>
  /** What a page may do: its `Content-Security-Policy`. */
  readonly policy: string
  readonly onError: (error: unknown) => void
}

/** Answers what it knows; false, and nothing is answered, if it does not know the path. */
export type SendFile = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  requestId: string,
  status?: number,
) => boolean

type Read = { readonly body: Buffer; readonly headers: readonly string[]; readonly etag: string }

const read = async ({ type, url }: File, policy: string): Promise<Read> => {
  const body = await readFile(fileURLToPath(url))
  const etag = `"${hash('sha256', body, 'base64url').slice(0, 22)}"`
  const headers = ['Content-Type', type, 'Content-Security-Policy', policy, 'X-Content-Type-Options', 'nosniff']
  return { body, etag, headers: [...headers, 'Cache-Control', 'no-cache', 'ETag', etag] }
}

export const openFiles = ({ files, policy, onError }: FilesOptions): SendFile => {
  const known = new Map<string, Promise<Read>>()

  const send = async (
    request: IncomingMessage,
    response: ServerResponse,
    file: File,
    id: string,
    status: number,
  ): Promise<void> => {
    const reading = known.get(file.url) ?? read(file, policy)
    known.set(file.url, reading)
    const { body, headers, etag } = await reading
    const { 'if-none-match': ifNoneMatch } = request.headers
    if (status === 200 && ifNoneMatch !== undefined && isSeen(ifNoneMatch, etag)) {
      response.writeHead(304, ['ETag', etag, 'X-Request-Id', id]).end()
      return
    }
    response.writeHead(status, [...headers, 'Content-Length', String(body.length), 'X-Request-Id', id])
    response.end(body)
  }

  return (request, response, path, requestId, status = 200) => {
    const file = files.get(path)
    if (file === undefined) return false
    send(request, response, file, requestId, status).catch((error: unknown) => {
      known.delete(file.url)
      onError(error)
      response.destroy()
    })
    return true
  }
}
