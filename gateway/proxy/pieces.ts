/** How is a piece of a reply passed on? As it comes, and no more of them than the client reads. */
import type { ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'

/** Node joins a text with the head before it, and keeps a buffer as a piece of its own. What is longer is not worth the copy. */
const SHORT_BYTES = 4_096

/** Passes on a piece, and takes no more of the reply until the client has read what it was sent. */
export const passPiece = (response: ServerResponse, controller: Dispatcher.DispatchController, piece: Buffer): void => {
  // Each byte is one character of Latin-1, and the other way round.
  const isTaken =
    piece.length <= SHORT_BYTES ? response.write(piece.toString('latin1'), 'latin1') : response.write(piece)
  if (isTaken || response.destroyed) return
  controller.pause()
  const resume = () => {
    response.off('drain', resume).off('close', resume)
    controller.resume()
  }
  response.on('drain', resume).on('close', resume)
}
