-- certinbox for Momentum 4: asks POST /v1/check about mail to a collection
-- address while the sending server waits, and answers with what it says.
-- See README.md beside this file.

require("msys.core")
require("msys.threadpool")
require("msys.extended.message")
require("msys.http.client")
require("json")

local url = "http://127.0.0.1:8855/v1/check"
local authorization = nil -- "Bearer SECRET" where webhook.auth asks for one, with opens: check
local timeout = 75 -- seconds; certinbox answers within 60
local collect = { ["secureme@in.example.com"] = true } -- in lower case; the same as collect: of certinbox

local mod = {}

-- One header field of the envelope. No control character can make it two.
local function field(client, name, value)
  if value then
    client:set_header(name .. ": " .. tostring(value):gsub("%c", ""))
  end
end

-- Asks, and returns the HTTP status and the body.
local function ask(envelope, message)
  local client = msys.http.client.new()
  client:set_timeout(timeout)
  client:set_header("Content-Type: message/rfc822")
  field(client, "Authorization", authorization)
  field(client, "X-Certinbox-Rcpt", envelope.rcpt)
  field(client, "X-Certinbox-Sender", "<" .. (envelope.sender or "") .. ">")
  field(client, "X-Certinbox-Client", envelope.client)
  field(client, "X-Certinbox-Id", envelope.id)
  client:do_request("POST", url, message)
  local status = client:get_status()
  return tonumber(status), client:get_body()
end

-- The lines of the text in an answer, as one.
local function sentence(body)
  local list = (body:match('"text":(%b[])') or "[]"):sub(2, -2)
  list = list:gsub('^"', ""):gsub('"$', ""):gsub('","', " ")
  list = list:gsub("\\u00(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  return list:gsub("\\(.)", "%1"):gsub("[^ -~]", "?"):sub(1, 500)
end

-- Whatever goes wrong on the way is no reason to let the message in, nor to
-- refuse it.
local function trouble(vctx, what)
  print("certinbox: " .. tostring(what))
  vctx:set_code(451, "4.3.0 Something is wrong here, not with your message.")
  return msys.core.VALIDATE_DONE
end

function mod:validate_data_spool_each_rcpt(msg, ac, vctx)
  local rcpt = msg:rcptto()
  if not rcpt or not collect[rcpt:lower()] then
    return msys.core.VALIDATE_CONT
  end
  local envelope = { rcpt = rcpt, sender = msg:mailfrom(), client = msg:reception_peer("ip"), id = tostring(msg.id) }
  local message = msg:raw()
  -- Waiting for DNS and CAs would hold up everybody else in the scheduler thread.
  local done, status, body = msys.runInPool("IO", function() return ask(envelope, message) end)
  if not done or status ~= 200 or not body then
    return trouble(vctx, "no answer: " .. tostring(status))
  end
  local answer = json.decode(body)
  local code = answer and tonumber(answer.code)
  if not code or code < 200 or code > 599 then
    return trouble(vctx, "the answer cannot be read")
  end
  if code ~= 250 then
    vctx:set_code(code, tostring(answer.enhanced) .. " " .. sentence(body))
    return msys.core.VALIDATE_DONE
  end
  if tostring(answer.deliver) == "false" then
    msg:discard("550 5.7.1 certinbox: taken, and not to be delivered") -- for the log; the sender reads 250
    return msys.core.VALIDATE_DONE
  end
  return msys.core.VALIDATE_CONT
end

msys.registerModule("certinbox", mod)
