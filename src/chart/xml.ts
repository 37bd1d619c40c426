/** Escapes text for XML, so that user data is never interpreted as markup. */

/** For text, and for attributes in double quotes. Characters that XML does not allow are removed. */
export function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'}
  return text.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '').replace(/[&<>"]/g, (one) => entities[one] ?? '')
}

/** `a="1" b="2"`; undefined attributes are left out. */
export function toAttributes(attributes: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(attributes)
    .flatMap(([name, value]) => (value === undefined ? [] : [` ${name}="${escapeXml(value)}"`]))
    .join('')
}

/** Two hyphens are not allowed inside a comment. */
export function toComment(text: string): string {
  return `<!-- ${escapeXml(text).replace(/--+/g, '-').replace(/-$/, '')} -->`
}
