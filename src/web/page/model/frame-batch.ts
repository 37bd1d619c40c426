/** What arrives between two frames, handed on at once: a hundred events cost one drawing, not a hundred. */

/** @returns takes one more; a page that is not seen has no frames, and is told four times a second */
export function createFrameBatch<T>(run: (items: readonly T[]) => void): (item: T) => void {
  let items: T[] = []
  return (item) => {
    items.push(item)
    if (items.length > 1) return
    if (document.hidden) setTimeout(flush, 250)
    else requestAnimationFrame(flush)
  }

  function flush(): void {
    const taken = items
    items = []
    run(taken)
  }
}
