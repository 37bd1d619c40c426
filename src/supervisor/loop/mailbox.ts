/** What waits for its turn, in order of arrival. What cannot be taken yet lets what is behind it pass, and is tried again after each that was taken. */

export interface Mailbox<Item> {
  deliver(item: Item): void
  /** Tries again whatever waits. */
  drain(): void
  readonly size: number
}

/** @param take runs to its end; returns what stays in the mailbox in place of the item, or undefined when it is done with */
export function createMailbox<Item extends object>(take: (item: Item) => Item | undefined): Mailbox<Item> {
  let state: 'idle' | 'draining' = 'idle'
  let items: readonly Item[] = []
  return {
    deliver: (item) => {
      items = [...items, item]
      drain()
    },
    drain,
    get size() {
      return items.length
    },
  }

  /** What is delivered meanwhile is taken in its turn. */
  function drain(): void {
    if (state === 'draining') return
    state = 'draining'
    try {
      for (let index = 0; index < items.length; ) {
        const item = items[index]
        const left = item && take(item)
        if (left !== item) items = [...items.slice(0, index), ...(left ? [left] : []), ...items.slice(index + 1)]
        index = left ? index + 1 : 0
      }
    } finally {
      state = 'idle'
    }
  }
}
