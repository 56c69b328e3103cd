-- certinbox for Rspamd: asks POST /v1/check about mail to a collection address,
-- before anything else has looked at it, and takes the answer as its own.
-- Goes to /etc/rspamd/lua.local.d/certinbox.lua; see README.md beside this file.

local rspamd_http = require 'rspamd_http'
local rspamd_logger = require 'rspamd_logger'
local ucl = require 'ucl'

local settings = {
  url = 'http://127.0.0.1:8855/v1/check',
  collect = { ['secureme@example.com'] = true }, -- in lower case; the same as collect: of certinbox
  authorization = nil, -- 'Bearer SECRET' where webhook.auth asks for one, with opens: check
  timeout = 75.0, -- seconds; certinbox answers within 60. options.task_timeout must be longer
  max_size = 2 * 1024 * 1024, -- bytes; limits.message of certinbox
}

-- The collection address among the recipients, and whether there are others.
local function recipients(task)
  local ours, others = nil, false
  for _, r in ipairs(task:get_recipients('smtp') or {}) do
    if settings.collect[r.addr:lower()] then
      ours = r.addr
    else
      others = true
    end
  end
  return ours, others
end

local function answer(task, action, text)
  task:set_pre_result({ action = action, message = text, module = 'certinbox' })
end

-- Whatever goes wrong on the way is no reason to let the message in, nor to
-- refuse it.
local function trouble(task, what)
  rspamd_logger.errx(task, 'certinbox: %s', what)
  answer(task, 'soft reject', 'Something is wrong here, not with your message.')
end

-- What a JSON answer of /v1/check says.
local function judged(task, body)
  local parser = ucl.parser()
  local ok, err = parser:parse_string(tostring(body))
  if not ok then
    return trouble(task, 'the answer is no JSON: ' .. tostring(err))
  end
  local a = parser:get_object()
  local code = tonumber(a.code)
  if not code then
    return trouble(task, 'the answer has no code')
  end
  local text = table.concat(a.text or {}, ' ')
  rspamd_logger.infox(task, 'certinbox: %s, %s %s', a.action, a.reason, a.reference)
  if code >= 500 and code < 600 then
    answer(task, 'reject', text)
  elseif code ~= 250 then
    answer(task, 'soft reject', text)
  elseif a.deliver == false then
    answer(task, 'discard', text) -- local.d/actions.conf has to know it
  else
    answer(task, 'no action', text) -- it is signed by its author: nothing else has a say
  end
end

local function check(task)
  local ours, others = recipients(task)
  if not ours then
    return
  end
  if others then -- one answer for two kinds of recipients would be wrong for one
    return answer(task, 'soft reject', 'This address takes mail in a transaction of its own.')
  end
  if task:get_size() > settings.max_size then
    return answer(task, 'reject', 'The message is too large.')
  end
  local headers = { ['X-Certinbox-Rcpt'] = ours, ['Authorization'] = settings.authorization }
  local from = task:get_from('smtp')
  headers['X-Certinbox-Sender'] = '<' .. (from and from[1] and from[1].addr or '') .. '>'
  local ip = task:get_from_ip()
  if ip and ip:is_valid() then
    headers['X-Certinbox-Client'] = ip:to_string()
  end
  headers['X-Certinbox-Id'] = task:get_queue_id()
  local sent = rspamd_http.request({
    task = task,
    url = settings.url,
    method = 'post',
    mime_type = 'message/rfc822',
    headers = headers,
    body = task:get_content(),
    timeout = settings.timeout,
    callback = function(err, status, body)
      if err or status ~= 200 then
        return trouble(task, string.format('no answer: %s', tostring(err or status)))
      end
      -- An error in here would let the message pass.
      local ok, fault = pcall(judged, task, body)
      if not ok then
        trouble(task, tostring(fault))
      end
    end,
  })
  if not sent then
    trouble(task, 'the request cannot be sent')
  end
end

rspamd_config:register_symbol({
  name = 'CERTINBOX',
  type = 'prefilter',
  priority = 10,
  flags = 'nostat,explicit_disable,empty',
  callback = function(task)
    local ok, fault = pcall(check, task)
    if not ok then
      trouble(task, tostring(fault))
    end
  end,
})
