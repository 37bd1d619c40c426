/** News of one kind. What comes before there is a listener waits for it. */
export interface News<T> {
  listen(listener: (news: T) => void): void
}

export interface NewsSource<T> extends News<T> {
  tell(news: T): void
}

export function createNews<T>(): NewsSource<T> {
  const listeners: ((news: T) => void)[] = []
  const waiting: T[] = []
  return {
    listen: (listener) => {
      listeners.push(listener)
      for (const news of waiting.splice(0)) listener(news)
    },
    tell: (news) => {
      if (listeners.length === 0) waiting.push(news)
      for (const listener of listeners) listener(news)
    },
  }
}
