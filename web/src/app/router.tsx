// The addresses of the UI. All but chat are fetched when they are opened.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { ChatPage } from '../features/chat/chat-page';
import { toDiscoverSearch } from '../features/discover/discover-search';
import { toToolTab } from '../features/tools/tool-tabs';
import { NotFoundPage, PageFailed } from './failures';
import { Shell } from './shell';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage });
const home = createRoute({ getParentRoute: () => root, path: '/', component: () => <ChatPage sessionId={null} /> });
const chat = createRoute({
  getParentRoute: () => root,
  path: '/chat/$sessionId',
  component: function Chat() {
    return <ChatPage sessionId={chat.useParams().sessionId} />;
  },
});
const models = createRoute({
  getParentRoute: () => root,
  path: '/models',
  component: lazyRouteComponent(() => import('../features/models/models-page'), 'ModelsPage'),
});
const discover = createRoute({
  getParentRoute: () => root,
  path: '/discover',
  validateSearch: toDiscoverSearch,
  component: lazyRouteComponent(() => import('../features/discover/discover-page'), 'DiscoverPage'),
});
const activity = createRoute({
  getParentRoute: () => root,
  path: '/activity',
  component: lazyRouteComponent(() => import('../features/activity/activity-page'), 'ActivityPage'),
});
const runtimes = createRoute({
  getParentRoute: () => root,
  path: '/runtimes',
  component: lazyRouteComponent(() => import('../features/runtimes/runtimes-page'), 'RuntimesPage'),
});
const queue = createRoute({
  getParentRoute: () => root,
  path: '/queue',
  component: lazyRouteComponent(() => import('../features/queue/queue-page'), 'QueuePage'),
});
const memory = createRoute({
  getParentRoute: () => root,
  path: '/memory',
  component: lazyRouteComponent(() => import('../features/memory/memory-page'), 'MemoryPage'),
});
const routing = createRoute({
  getParentRoute: () => root,
  path: '/routing',
  component: lazyRouteComponent(() => import('../features/routing/routing-page'), 'RoutingPage'),
});
const tools = createRoute({
  getParentRoute: () => root,
  path: '/tools',
  validateSearch: ({ tab }: Record<string, unknown>) => toToolTab(tab),
  component: lazyRouteComponent(() => import('../features/tools/tools-page'), 'ToolsPage'),
});
const toolServer = createRoute({
  getParentRoute: () => root,
  path: '/tools/servers/$name',
  component: lazyRouteComponent(() => import('../features/tools/server-page'), 'ServerPage'),
});
const toolImport = createRoute({
  getParentRoute: () => root,
  path: '/tools/import',
  validateSearch: ({ registry, option }: Record<string, unknown>): { registry?: string; option?: number } => ({
    ...(typeof registry === 'string' ? { registry } : {}),
    ...(typeof option === 'number' ? { option } : {}),
  }),
  component: lazyRouteComponent(() => import('../features/tools/import-page'), 'ImportPage'),
});
const toolImportProgress = createRoute({
  getParentRoute: () => root,
  path: '/tools/imports/$operationId',
  component: lazyRouteComponent(() => import('../features/tools/import-progress-page'), 'ImportProgressPage'),
});
const toolSkill = createRoute({
  getParentRoute: () => root,
  path: '/tools/skills/$name',
  component: lazyRouteComponent(() => import('../features/tools/own-skill-page'), 'OwnSkillPage'),
});
const system = createRoute({
  getParentRoute: () => root,
  path: '/system',
  component: lazyRouteComponent(() => import('../features/system/system-page'), 'SystemPage'),
});
const reference = createRoute({
  getParentRoute: () => root,
  path: '/docs',
  validateSearch: ({ operation }: Record<string, unknown>): { operation?: string } =>
    typeof operation === 'string' ? { operation } : {},
  component: lazyRouteComponent(() => import('../features/reference/reference-page'), 'ReferencePage'),
});
/** Where the original had a second page of the same. */
const redoc = createRoute({
  getParentRoute: () => root,
  path: '/redoc',
  beforeLoad: () => {
    throw redirect({ to: '/docs', replace: true });
  },
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    chat,
    models,
    discover,
    activity,
    runtimes,
    queue,
    memory,
    routing,
    tools,
    toolServer,
    toolImport,
    toolImportProgress,
    toolSkill,
    system,
    reference,
    redoc,
  ]),
  defaultPreload: 'intent',
  defaultErrorComponent: PageFailed,
  defaultNotFoundComponent: NotFoundPage,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
