// The tools of one server: found by words, opened one at a time; permission, schema, and a form to try it.
import { Accordion, Stack, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ClaimedBadges } from '../../components/claimed-badges';
import { Empty } from '../../components/states';
import { visibleText } from '../../lib/visible-text';
import { callMcpTool } from './api/call-tool';
import { type McpServer, type McpTool, useToolPermission } from './api/get-servers';
import { useSkills } from './api/get-skills';
import { PermissionChoice } from './permission-choice';
import { ToolDetails } from './tool-details';
import { ToolHead } from './tool-head';

const FILTER_FROM = 6;
const COLORS = { approved: 'teal', quarantined: 'orange', refused: 'red', gone: 'gray' } as const;

export function ServerTools({ server, tools }: { server: McpServer; tools: readonly McpTool[] }) {
  const { t } = useTranslation();
  const [filter, setFilter] = useState('');
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = tools.filter(({ tool, title, description }) => {
    const text = `${tool} ${title ?? ''} ${description}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (tools.length === 0) return <Empty>{t('tools.none')}</Empty>;
  return (
    <Stack gap="sm">
      {tools.length >= FILTER_FROM && (
        <TextInput
          aria-label={t('tools.filter')}
          placeholder={t('tools.filter')}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
      )}
      {shown.length === 0 && <Empty>{t('sessions.nothing')}</Empty>}
      <Accordion variant="contained" className="tool-accordion" keepMounted={false}>
        {shown.map((tool) => (
          <Accordion.Item key={tool.tool} value={tool.tool}>
            <Accordion.Control>
              <Head tool={tool} />
            </Accordion.Control>
            <Accordion.Panel>
              <OneTool server={server} tool={tool} />
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
    </Stack>
  );
}

function Head({ tool }: { tool: McpTool }) {
  const { t } = useTranslation();
  const approved = tool.state === 'approved';
  return (
    <ToolHead
      name={visibleText(tool.tool)}
      title={tool.title}
      text={tool.refused ?? tool.description}
      promptTokens={tool.prompt_tokens}
      badge={{
        variant: approved ? 'default' : 'light',
        color: COLORS[tool.state],
        children: approved ? t(`tools.permission.${tool.permission}`) : t(`tools.tool.${tool.state}`),
      }}
    />
  );
}

function OneTool({ server, tool }: { server: McpServer; tool: McpTool }) {
  const { t } = useTranslation();
  const skills = useSkills();
  const permit = useToolPermission(server.name);
  const effective = skills.data?.find(({ name }) => name === tool.name);
  // A decision made in a chat counts before the server's own.
  const decided = effective?.permission_reason === 'global' ? effective.permission : null;
  const callable = tool.state === 'approved' && tool.name !== null;
  return (
    <ToolDetails
      name={tool.name}
      description={tool.refused ?? tool.description}
      badges={<ClaimedBadges claims={tool.claims} />}
      schemas={[
        { title: t('tools.schema.input'), schema: tool.input_schema },
        ...(tool.output_schema ? [{ title: t('tools.schema.output'), schema: tool.output_schema }] : []),
      ]}
      permission={
        <PermissionChoice
          tool={tool.tool}
          value={decided ?? tool.permission}
          note={decided ? t('tools.permission.chat') : undefined}
          disabled={permit.isPending || tool.state === 'gone'}
          onChange={(permission) => permit.mutate({ tool: tool.tool, name: tool.name, permission })}
        />
      }
      tryIt={
        callable && tool.permission !== 'never' && server.enabled
          ? { tool: tool.tool, schema: tool.input_schema, call: callMcpTool(tool.name ?? '') }
          : null
      }
      why={t(
        !server.enabled
          ? 'tools.try.why.disabled'
          : tool.permission === 'never'
            ? 'tools.try.why.never'
            : `tools.try.why.${tool.state}`,
        { defaultValue: '' },
      )}
    />
  );
}
