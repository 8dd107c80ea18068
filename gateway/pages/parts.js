/** Of what small parts is the page made? */
import { html, useEffect, useRef, useState } from '/vendor/preact.js'
import { asCurl } from './session.js'

/** A word of a state, with a dot of its colour: the colour alone says nothing. */
export const Tag = ({ kind, children }) => html`<span class=${`tag ${kind}`}>${children}</span>`

export const Card = ({ name, title, wide, aside, children }) => html`
  <section class=${`card ${wide ? 'wide' : ''}`} id=${name} aria-labelledby=${`${name}-title`}>
    <div class="head"><h2 id=${`${name}-title`}>${title}</h2>${aside}</div>
    ${children}
  </section>`

export const Empty = ({ children }) => html`<p class="empty">${children}</p>`

/** A table that may be wider than its place: then it is moved within, by the keyboard, too. */
export const Table = ({ label, heads, children }) => html`
  <div class="scroll" tabindex="0" role="group" aria-label=${label}>
    <table>
      <thead><tr>${heads.map((head) => html`<th scope="col" key=${head}>${head}</th>`)}</tr></thead>
      <tbody>${children}</tbody>
    </table>
  </div>`

/** An order that is contradicted, and the way to its checkout. */
export const Contradicted = ({ order_id, log_id }) =>
  log_id === null ? order_id : html`<a href=${`#checkout=${log_id}`}>${order_id}</a>`

const COPIED_MS = 1_500

/** Copies a line for a shell that does the same. */
export const CopyCurl = ({ method, path, body, what }) => {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(asCurl(method, path, body))
    setCopied(true)
    setTimeout(() => setCopied(false), COPIED_MS)
  }
  return html`<button type="button" class="quiet" onClick=${copy} aria-label=${`copy as curl: ${what}`}>${copied ? 'copied' : 'copy as curl'}</button>`
}

/**
 * Asks whether something is to be done, and says what that does.
 * @param asks a reason is wanted, by this label
 */
export const Confirm = ({ title, children, verb, asks, request, onDone, onClose }) => {
  const at = useRef(null)
  const [why, setWhy] = useState('')
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    const dialog = at.current
    dialog.showModal()
    // Gives the focus back to where it was, which a dialog that is only taken away does not.
    return () => dialog.close()
  }, [])
  const { method, path, body, run } = request(why)
  const submit = async (event) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    onDone(await run())
    onClose()
  }
  return html`<dialog ref=${at} aria-labelledby="confirm-title" onClose=${onClose}>
    <form onSubmit=${submit}>
      <h2 id="confirm-title">${title}</h2>
      ${children}
      ${asks && html`<label class="field">${asks}<input type="text" maxlength="200" required value=${why} onInput=${(event) => setWhy(event.target.value)} /></label>`}
      <div class="buttons">
        <button type="submit" class="main" disabled=${busy}>${verb}</button>
        <button type="button" onClick=${onClose}>not now</button>
        ${path && html`<${CopyCurl} method=${method} path=${path} body=${body} what=${title} />`}
      </div>
    </form>
  </dialog>`
}
