#!/usr/bin/env dnsjit
-- Packets and DNS with dnsjit, in Lua: prints what it found as a line of JSON.
--
-- usage: dnsjit dnsjit.lua count|ports|dns|dns_without_names FILE
local objects = require("dnsjit.core.objects")
local FCS = 4 -- bytes of Ethernet's frame check, which libtrace counts
local MOST = 64 -- labels of a name: one of an IPv6 address has 34

local function reader(path)
    local input = require("dnsjit.input.fpcap").new()
    input:open(path)
    return input
end

local function count(path)
    local input = reader(path)
    local producer, context = input:produce()
    local packets, octets = 0, 0
    while true do
        local object = producer(context)
        if object == nil then break end
        packets = packets + 1
        octets = octets + object:cast().len + FCS
    end
    return {count = packets, bytes = octets}
end

-- What filter.layer makes of each packet: the innermost object first, nil after the last.
local alive
local function layers(path)
    local layer = require("dnsjit.filter.layer").new()
    local input = reader(path)
    layer:producer(input)
    local producer, context = layer:produce()
    alive = {input, layer} -- or they are collected
    return function()
        local object = producer(context)
        if object ~= nil then return object end -- a null pointer does not end a loop
    end
end

local function ports(path)
    local produced = layers(path)
    local packets, sizes = 0, {}
    for object in produced do
        packets = packets + 1
        local port
        while object.obj_type ~= objects.PCAP do
            if object.obj_type == objects.TCP then port = object:cast().dport end
            object = object.obj_prev
        end
        if port then sizes[port] = (sizes[port] or 0) + object:cast().len + FCS end
    end
    local number, octets, weighted = 0, 0, 0
    for port, size in pairs(sizes) do
        number, octets, weighted = number + 1, octets + size, weighted + port * size
    end
    return {count = packets, ports = number, tcp_bytes = octets, weighted = weighted}
end

-- Header, question, number of answers; and the name as a string, where it is wanted.
local function messages_of(path, with_name)
    local produced = layers(path)
    local message = require("dnsjit.core.object.dns").new()
    local Label = require("dnsjit.core.object.dns.label")
    local question, labels = require("dnsjit.core.object.dns.q").new(), Label.new(MOST)
    local messages, responses, answers, letters = 0, 0, 0, 0
    for object in produced do
        if object.obj_type == objects.PAYLOAD then
            message.obj_prev = object
            if message:parse_header() == 0 then
                messages = messages + 1
                responses = responses + message.qr
                answers = answers + message.ancount
                if message.qdcount > 0 and message:parse_q(question, labels, MOST) == 0 then
                    local name = with_name
                        and Label.tostring(message, labels, tonumber(question.labels))
                    if name then letters = letters + #name - 1 end -- without the last dot
                end
            end
        end
    end
    local found = {count = messages, responses = responses, answers = answers}
    if with_name then found.letters = letters end
    return found
end

local jobs = {
    count = count,
    ports = ports,
    dns = function(path) return messages_of(path, true) end,
    dns_without_names = function(path) return messages_of(path, false) end,
}
local found, parts = jobs[arg[2]](arg[3]), {}
for name, value in pairs(found) do
    table.insert(parts, string.format('"%s": %d', name, tonumber(value)))
end
print("{" .. table.concat(parts, ", ") .. "}")
