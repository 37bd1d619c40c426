import {useRef} from 'preact/hooks'

interface TabsProps<T extends string> {
  readonly label: string
  readonly names: readonly T[]
  readonly titles: Readonly<Record<T, string>>
  readonly counts: Readonly<Partial<Record<T, number>>>
  readonly chosen: T
  readonly onChoose: (name: T) => void
}

/** A tab list: the arrow keys select the next or the previous tab (ARIA tab pattern). */
export function Tabs<T extends string>({label, names, titles, counts, chosen, onChoose}: TabsProps<T>) {
  const list = useRef<HTMLDivElement>(null)
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (step === 0) return
    event.preventDefault()
    event.stopPropagation()
    const next = names[(names.indexOf(chosen) + step + names.length) % names.length]
    if (next === undefined) return
    onChoose(next)
    list.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus()
  }
  return (
    <div ref={list} class="tabs" role="tablist" aria-label={label} onKeyDown={move}>
      {names.map((name) => (
        <button
          type="button"
          key={name}
          id={`tab-${name}`}
          class="tab"
          role="tab"
          aria-selected={chosen === name}
          aria-controls={`panel-${name}`}
          tabIndex={chosen === name ? 0 : -1}
          onClick={() => onChoose(name)}
        >
          {titles[name]}
          {counts[name] !== undefined && <small>{counts[name]}</small>}
        </button>
      ))}
    </div>
  )
}
