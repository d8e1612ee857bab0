// Tools: MCP servers, the registry they are found in, what Venom itself offers to a model, and skills of one's own.
import { Group, Tabs } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { ButtonLink } from '../../components/links';
import { PageHeader } from '../../components/page-header';
import { ScrollRow } from '../../components/scroll-row';
import { OwnSkills } from './own-skills';
import { Registry } from './registry';
import { ServerList } from './server-list';
import { SkillList } from './skill-list';
import { TOOL_TABS, type ToolTab } from './tool-tabs';

export function ToolsPage() {
  const { t } = useTranslation();
  const { tab = 'servers' } = useSearch({ from: '/tools' });
  const navigate = useNavigate();
  return (
    <div className="page">
      <PageHeader title={t('tools.title')} lead={t('tools.lead')}>
        <Group gap="xs">
          <ButtonLink to="/tools/import" size="sm" leftSection={<IconPlus size={16} aria-hidden />}>
            {t('tools.add')}
          </ButtonLink>
        </Group>
      </PageHeader>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) => void navigate({ to: '/tools', search: { tab: next as ToolTab } })}
      >
        <ScrollRow>
          <Tabs.List>
            {TOOL_TABS.map((each) => (
              <Tabs.Tab key={each} value={each}>
                {t(`tools.tab.${each}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </ScrollRow>
        <Tabs.Panel value="servers" pt="md">
          <ServerList />
        </Tabs.Panel>
        <Tabs.Panel value="registry" pt="md">
          <Registry />
        </Tabs.Panel>
        <Tabs.Panel value="skills" pt="md">
          <SkillList />
        </Tabs.Panel>
        <Tabs.Panel value="own" pt="md">
          <OwnSkills />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}
