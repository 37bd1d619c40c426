/** Collects items and delivers them once per animation frame: a hundred events cause one render. */

/** @returns a function that adds an item. A hidden page has no animation frames: its items are delivered every 250 ms. */
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
