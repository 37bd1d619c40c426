interface FilterBarProps<T extends string> {
  /** The id of the search field. */
  readonly id: string
  readonly label: string
  readonly placeholder: string
  readonly text: string
  readonly onText: (text: string) => void
  readonly choiceLabel: string
  readonly choices: readonly T[]
  readonly chosen: T
  readonly onChoose: (choice: T) => void
}

/** A search field, and a group of buttons of which one is chosen. */
export function FilterBar<T extends string>(props: FilterBarProps<T>) {
  const {id, label, placeholder, text, onText, choiceLabel, choices, chosen, onChoose} = props
  return (
    <div class="filter-bar">
      <label class="unseen" for={id}>
        {label}
      </label>
      <input
        id={id}
        class="select"
        type="search"
        placeholder={placeholder}
        autocomplete="off"
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would be a form of its own */}
      <div class="chips" role="group" aria-label={choiceLabel}>
        {choices.map((name) => (
          <button type="button" key={name} class="chip" aria-pressed={chosen === name} onClick={() => onChoose(name)}>
            {name}
          </button>
        ))}
      </div>
    </div>
  )
}
