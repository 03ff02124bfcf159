// Which page is open; moving between pages keeps the browser's own history.
import { paths, route, type Route } from './routes.ts';

class Router {
  #path = $state(location.pathname);
  readonly #route = $derived(route(this.#path));

  constructor() {
    addEventListener('popstate', () => {
      this.#path = location.pathname;
    });
  }

  get route(): Route {
    return this.#route;
  }

  get path(): string {
    return this.#path;
  }

  /** Opens another page; `replace` leaves no step back to this one. */
  go(path: string, options: { replace?: boolean } = {}): void {
    if (path === this.#path) return;
    if (options.replace) history.replaceState(history.state, '', path);
    else history.pushState({ isFurther: true }, '', path);
    this.#path = path;
  }

  /** Goes back to the page before, or to the first one where there is none of ours. */
  back(): void {
    const state: unknown = history.state;
    if (typeof state === 'object' && state !== null && 'isFurther' in state) history.back();
    else this.go(paths.landing);
  }

  /** Follows a link of ours without loading the page again; every other click stays the browser's. */
  follow(event: MouseEvent): void {
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!plain || event.defaultPrevented || !link || link.target || link.hasAttribute('download')) return;
    const url = new URL(link.href, location.href);
    if (url.origin !== location.origin || route(url.pathname).name === 'not-found') return;
    event.preventDefault();
    this.go(url.pathname);
  }
}

export const router = new Router();
