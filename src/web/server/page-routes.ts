/** The page itself. It contains nothing secret and needs no session; its requests do. */
import type {Context} from 'hono'
import type {App, AppEnvironment} from './app-environment.ts'
import type {Backend} from './backend.ts'
import {createPage, type PageFile} from './page.ts'

const placeholder = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Tallyman</title>
<h1>The page has not been built</h1>
</html>
`

/** Their names change with their content. */
const immutable = 'public, max-age=31536000, immutable'

export function addPageRoutes(app: App, {pageDir}: Pick<Backend, 'pageDir'>): void {
  const page = createPage(pageDir)
  const index = async (context: Context<AppEnvironment>) => {
    const file = await page.read('index.html')
    return file ? respond(context, file, 'no-cache') : context.html(placeholder)
  }
  app.get('/', index)
  app.get('/index.html', index)
  app.get('/c/*', index)
  app.get('/:path{.+}', async (context, next) => {
    const path = context.req.path.slice(1)
    const file = await page.read(path)
    return file ? respond(context, file, path.startsWith('assets/') ? immutable : 'no-cache') : await next()
  })
}

function respond(context: Context<AppEnvironment>, {type, bytes, compressed}: PageFile, cacheControl: string): Response {
  const accepts = /\bgzip\b/.test(context.req.header('Accept-Encoding') ?? '')
  const isCompressed = accepts && compressed !== undefined
  return context.body(isCompressed ? compressed : bytes, 200, {
    'Content-Type': type,
    'Cache-Control': cacheControl,
    Vary: 'Accept-Encoding',
    ...(isCompressed && {'Content-Encoding': 'gzip'}),
  })
}
