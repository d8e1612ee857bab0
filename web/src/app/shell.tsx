// The frame of every page: navigation, conversations, colour scheme and language.
import {
  ActionIcon,
  AppShell,
  Box,
  Burger,
  Group,
  Menu,
  NavLink,
  Text,
  Tooltip,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import {
  IconActivity,
  IconBrain,
  IconCompass,
  IconCpu,
  IconDeviceDesktop,
  IconLanguage,
  IconListCheck,
  IconMessage2,
  IconMoon,
  IconRoute,
  IconServer2,
  IconSettings,
  IconSun,
  IconTools,
} from '@tabler/icons-react';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { ConnectionBanner } from '../components/connection-banner';
import { SessionList } from '../features/chat/session-list';
import { changeLanguage, LANGUAGES, type Language } from '../lib/i18n/i18n';
import { escapeWasForLayer } from '../lib/open-layers';
import { Shortcuts } from './shortcuts';

const SCHEMES = { light: IconSun, dark: IconMoon, auto: IconDeviceDesktop } as const;

const PAGES = [
  { to: '/models', label: 'nav.models', Icon: IconCpu },
  { to: '/discover', label: 'nav.discover', Icon: IconCompass },
  { to: '/activity', label: 'nav.activity', Icon: IconActivity },
  { to: '/runtimes', label: 'nav.runtimes', Icon: IconServer2 },
  { to: '/queue', label: 'nav.queue', Icon: IconListCheck },
  { to: '/memory', label: 'nav.memory', Icon: IconBrain },
  { to: '/routing', label: 'nav.routing', Icon: IconRoute },
  { to: '/tools', label: 'nav.tools', Icon: IconTools },
  { to: '/system', label: 'nav.system', Icon: IconSettings },
] as const;

export function Shell() {
  const { t } = useTranslation();
  const [opened, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  const onChat = pathname === '/' || pathname.startsWith('/chat');
  useHotkeys(opened ? [['Escape', () => !escapeWasForLayer() && close()]] : [], []);
  return (
    <AppShell
      header={{ height: { base: 52, sm: 0 } }}
      navbar={{ width: 272, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      styles={{
        main: { height: '100dvh', overflow: 'hidden', display: 'flex', flexDirection: 'column' },
        navbar: { background: 'var(--venom-surface)' },
        header: { background: 'var(--venom-surface)' },
      }}
    >
      <a href="#content" className="skip-link">
        {t('nav.skip')}
      </a>
      <AppShell.Header hiddenFrom="sm">
        <Group h="100%" px="sm" gap="sm">
          <Burger
            opened={opened}
            onClick={toggle}
            size="sm"
            aria-label={t('nav.menu')}
            aria-expanded={opened}
            aria-controls="navigation"
          />
          <Brand />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" id="navigation" aria-label={t('nav.menu')}>
        <Group justify="space-between" px={4} pb="sm" visibleFrom="sm">
          <Brand />
        </Group>
        <div className="sidebar-middle">
          <nav aria-label={t('nav.main')} className="main-nav">
            <NavLink
              component={Link}
              to="/"
              label={t('nav.chat')}
              leftSection={<IconMessage2 size={16} aria-hidden />}
              active={onChat}
              aria-current={onChat ? 'page' : undefined}
              onClick={close}
            />
            {PAGES.map(({ to, label, Icon }) => (
              <NavLink
                key={to}
                component={Link}
                to={to}
                label={t(label)}
                leftSection={<Icon size={16} aria-hidden />}
                active={pathname === to || pathname.startsWith(`${to}/`)}
                onClick={close}
              />
            ))}
          </nav>
          <Box flex={1} mih={0} mt="md">
            <SessionList onOpen={close} />
          </Box>
        </div>
        <Group gap={4} pt="xs" style={{ borderTop: '1px solid var(--venom-border)' }}>
          <SchemeMenu />
          <LanguageMenu />
          <Box flex={1} />
          <Shortcuts />
        </Group>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <ConnectionBanner />
        {onChat ? (
          <Outlet />
        ) : (
          // A region that scrolls must be reachable by keyboard.
          // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
          <div className="page-scroll" tabIndex={0}>
            <Outlet />
          </div>
        )}
      </AppShell.Main>
    </AppShell>
  );
}

function Brand() {
  return (
    <Group gap={9}>
      <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="9" fill="var(--mantine-primary-color-filled)" />
        <path
          d="M8.5 9.5l7.5 14 7.5-14"
          fill="none"
          stroke="#fff"
          strokeWidth="3.4"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
      <Text fw={650} size="lg" style={{ letterSpacing: '-0.02em' }}>
        Venom
      </Text>
    </Group>
  );
}

function SchemeMenu() {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Current = SCHEMES[colorScheme];
  return (
    <Menu position="top-start">
      <Menu.Target>
        <Tooltip label={t('nav.theme')}>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('nav.theme')}>
            <Current size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {(Object.keys(SCHEMES) as (keyof typeof SCHEMES)[]).map((scheme) => {
          const Icon = SCHEMES[scheme];
          return (
            <Menu.Item key={scheme} leftSection={<Icon size={15} aria-hidden />} onClick={() => setColorScheme(scheme)}>
              {t(`nav.theme.${scheme}`)}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}

function LanguageMenu() {
  const { t, i18n } = useTranslation();
  return (
    <Menu position="top-start">
      <Menu.Target>
        <Tooltip label={t('nav.language')}>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('nav.language')}>
            <IconLanguage size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {(Object.keys(LANGUAGES) as Language[]).map((language) => (
          <Menu.Item
            key={language}
            lang={language}
            fw={i18n.language === language ? 600 : 400}
            onClick={() => void changeLanguage(language)}
          >
            {LANGUAGES[language]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
