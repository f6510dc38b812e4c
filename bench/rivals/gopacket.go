// Packets, flows and DNS with gopacket, in Go: its own reader of pcap files, which copies nothing, and
// its decoder that keeps its layers from packet to packet.
//
// usage: gopacket count|ports|flows|dns FILE
package main

import (
	"encoding/json"
	"io"
	"log"
	"os"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

const fcs = 4 // bytes of Ethernet's frame check, which libtrace counts

type result map[string]int

// decoder has a layer of each kind that may come.
type decoder struct {
	ethernet layers.Ethernet
	tag      layers.Dot1Q
	ip4      layers.IPv4
	ip6      layers.IPv6
	tcp      layers.TCP
	udp      layers.UDP
	parser   *gopacket.DecodingLayerParser
	found    []gopacket.LayerType
}

func newDecoder() *decoder {
	d := &decoder{}
	d.parser = gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet,
		&d.ethernet, &d.tag, &d.ip4, &d.ip6, &d.tcp, &d.udp)
	d.parser.IgnoreUnsupported = true
	return d
}

// decode tells whether TCP and UDP were found. A packet that was cut is decoded as far as it goes.
func (d *decoder) decode(data []byte) (tcp bool, udp bool) {
	_ = d.parser.DecodeLayers(data, &d.found)
	for _, kind := range d.found {
		tcp = tcp || kind == layers.LayerTypeTCP
		udp = udp || kind == layers.LayerTypeUDP
	}
	return tcp, udp
}

// each calls do for every packet, with its bytes and its length on the wire.
func each(path string, do func([]byte, int)) {
	file, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	reader, err := pcapgo.NewReader(file)
	if err != nil {
		log.Fatal(err)
	}
	for {
		data, about, err := reader.ZeroCopyReadPacketData()
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		do(data, about.Length+fcs)
	}
}

func count(path string) result {
	packets, octets := 0, 0
	each(path, func(_ []byte, size int) {
		packets++
		octets += size
	})
	return result{"count": packets, "bytes": octets}
}

func ports(path string) result {
	decoder, sizes, packets := newDecoder(), map[layers.TCPPort]int{}, 0
	each(path, func(data []byte, size int) {
		packets++
		if tcp, _ := decoder.decode(data); tcp {
			sizes[decoder.tcp.DstPort] += size
		}
	})
	octets, weighted := 0, 0
	for port, size := range sizes {
		octets += size
		weighted += int(port) * size
	}
	return result{"count": packets, "ports": len(sizes), "tcp_bytes": octets, "weighted": weighted}
}

type key struct {
	src, dst         [16]byte
	srcPort, dstPort uint16
	proto            layers.IPProtocol
}

type flow struct{ packets, octets [2]int }

func flows(path string) result {
	decoder, known := newDecoder(), map[key]*flow{}
	each(path, func(data []byte, size int) {
		var one key
		tcp, udp := decoder.decode(data)
		switch {
		case tcp:
			one.srcPort, one.dstPort = uint16(decoder.tcp.SrcPort), uint16(decoder.tcp.DstPort)
			one.proto = layers.IPProtocolTCP
		case udp:
			one.srcPort, one.dstPort = uint16(decoder.udp.SrcPort), uint16(decoder.udp.DstPort)
			one.proto = layers.IPProtocolUDP
		default:
			return
		}
		if decoder.ethernet.EthernetType == layers.EthernetTypeIPv6 {
			copy(one.src[:], decoder.ip6.SrcIP)
			copy(one.dst[:], decoder.ip6.DstIP)
		} else {
			copy(one.src[:], decoder.ip4.SrcIP)
			copy(one.dst[:], decoder.ip4.DstIP)
		}
		way, found := 0, known[one]
		if found == nil {
			other := key{one.dst, one.src, one.dstPort, one.srcPort, one.proto}
			if found = known[other]; found != nil {
				way = 1
			} else {
				found = &flow{}
				known[one] = found
			}
		}
		found.packets[way]++
		found.octets[way] += size
	})
	packets, octets := 0, 0
	for _, one := range known {
		packets += one.packets[0] + one.packets[1]
		octets += one.octets[0] + one.octets[1]
	}
	return result{"count": packets, "bytes": octets, "flows": len(known)}
}

func dns(path string) result {
	decoder, message, found := newDecoder(), layers.DNS{}, result{}
	each(path, func(data []byte, _ int) {
		if _, udp := decoder.decode(data); !udp {
			return
		}
		if message.DecodeFromBytes(decoder.udp.Payload, gopacket.NilDecodeFeedback) != nil {
			return
		}
		found["count"]++
		if message.QR {
			found["responses"]++
		}
		found["answers"] += len(message.Answers)
		if len(message.Questions) > 0 {
			found["letters"] += len(message.Questions[0].Name)
		}
	})
	return found
}

func main() {
	jobs := map[string]func(string) result{"count": count, "ports": ports, "flows": flows, "dns": dns}
	if len(os.Args) != 3 || jobs[os.Args[1]] == nil {
		log.Fatal("usage: gopacket count|ports|flows|dns FILE")
	}
	if err := json.NewEncoder(os.Stdout).Encode(jobs[os.Args[1]](os.Args[2])); err != nil {
		log.Fatal(err)
	}
}
