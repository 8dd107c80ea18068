/**
 * Is this the secret that is wanted?
 *
 * Compared in a time that does not depend on where the two differ: else a stranger could guess one character after the other.
 */
import { timingSafeEqual } from 'node:crypto'

export const openIsSecret = (secret: string): ((given: string) => boolean) => {
  const wanted = Buffer.from(secret)
  return (given) => {
    if (given.length !== secret.length) return false
    const bytes = Buffer.from(given)
    return bytes.length === wanted.length && timingSafeEqual(bytes, wanted)
  }
}
