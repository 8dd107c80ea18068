/**
 * What is a user?
 *
 * A user is a wallet: credit, which the user owns, and the part of it that checkouts hold. Only credit is shown.
 */
export type User = { readonly user_id: string; readonly credit: number }
