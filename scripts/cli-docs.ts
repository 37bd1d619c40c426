/** Writes docs/cli.md. Run it after every change of a verb or an option. */
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {renderCliMarkdown} from './cli-markdown.ts'

writeFileSync(join(import.meta.dirname, '../docs/cli.md'), await renderCliMarkdown())
console.log('docs/cli.md')
