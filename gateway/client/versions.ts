/** In which version was a thing last shown? Of the things that were shown last, so many as fit. */
import type { Asked } from './contract.ts'

const KEPT_MAX = 1_000

export type Versions = {
  /** The ETag of the thing at this path. */
  readonly lastShown: (path: string) => string | undefined
  /** @param path what was asked; @param thing where that is shown which it is about */
  readonly note: (asked: Asked, path: string, thing: string, response: Response) => void
}

export const openVersions = (): Versions => {
  const etags = new Map<string, string>()
  const keep = (path: string, etag: string | null): void => {
    etags.delete(path)
    if (etag === null) return
    etags.set(path, etag)
    const [oldest] = etags.keys()
    if (etags.size > KEPT_MAX && oldest !== undefined) etags.delete(oldest)
  }
  return {
    lastShown: (path) => etags.get(path),
    note: ({ method }, path, thing, { ok, status, headers }) => {
      const etag = headers.get('etag')
      // Who is refused has not seen what came between, and must look again.
      if (!ok) {
        if (status === 412) etags.delete(thing)
        return
      }
      const location = status === 201 ? headers.get('location') : null
      if (location !== null) keep(location, etag)
      if (thing !== path) etags.delete(thing)
      else if (etag !== null || method !== 'GET') keep(path, etag)
    },
  }
}
